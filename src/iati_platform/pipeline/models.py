"""What the pipeline records: which contents were processed by which code, and which generations there were."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Float, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from iati_platform.storage.database import Base, UTCDateTime


class Processed(Base):
    """One content under one code version: its header, or the reason why it could not be processed."""

    __tablename__ = "processed"

    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    code_version: Mapped[str] = mapped_column(String(12), primary_key=True)
    #: `ok`, `failed` (the step raised) or `poison` (the file ended its workers)
    state: Mapped[str] = mapped_column(String(8))
    header: Mapped[dict[str, Any]] = mapped_column(JSON)
    error: Mapped[str | None] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(UTCDateTime)


class PublishedGeneration(Base):
    """A line per generation that was switched to; the generation itself is a directory."""

    __tablename__ = "generation"

    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    datasets: Mapped[int] = mapped_column(Integer)
    activities: Mapped[int] = mapped_column(BigInteger)
    changed: Mapped[int] = mapped_column(Integer)
    seconds: Mapped[float] = mapped_column(Float)
