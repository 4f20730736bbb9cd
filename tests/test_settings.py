import re
from datetime import date
from ipaddress import ip_network
from pathlib import Path

import pytest

from iati_platform.settings import SETTINGS, Settings, SettingsError, load_settings

ROOT = Path(__file__).parent.parent


def refusal(env: dict[str, str], data_dir: Path | None = None) -> str:
    with pytest.raises(SettingsError) as caught:
        load_settings(env, data_dir)
    return str(caught.value)


def test_without_any_setting_the_defaults_make_a_platform_in_the_data_folder(tmp_path: Path) -> None:
    assert load_settings({}, tmp_path) == Settings(
        data_dir=tmp_path,
        database_url=f"sqlite:///{tmp_path}/records.sqlite",
        object_store_url=f"file://{tmp_path}/objects",
    )


def test_the_data_directory_comes_from_the_command_line_then_the_environment_then_the_default(tmp_path: Path) -> None:
    env = {"IATI_DATA_DIR": str(tmp_path / "environment")}
    assert load_settings(env, tmp_path / "line").data_dir == tmp_path / "line"
    assert load_settings(env).data_dir == tmp_path / "environment"
    assert load_settings({}).data_dir == Path.cwd() / "data"


def test_every_setting_is_a_field_and_every_field_a_setting() -> None:
    assert {name.lower() for name in SETTINGS} == set(Settings.__dataclass_fields__)


def test_every_setting_is_documented() -> None:
    documented = set(re.findall(r"^\| `([A-Z_]+)` \|", (ROOT / "docs/settings.md").read_text(encoding="utf-8"), flags=re.M))
    assert documented == set(SETTINGS)


def test_values_of_the_environment_are_typed(tmp_path: Path) -> None:
    settings = load_settings(
        {
            "IATI_PUBLIC_URL": "https://iati.example.org/",
            "IATI_HOSTS": '{"validator": "Validator.example.org", "datastore": "data.example.org:8443"}',
            "IATI_DATABASE_URL": "postgresql+psycopg://u:secret@db/iati",
            "IATI_OBJECT_STORE_URL": "s3://bucket/prefix",
            "IATI_EXECUTOR": "dask://scheduler:8786",
            "IATI_WORKERS": "3",
            "IATI_OIDC_ISSUER": "https://login.example.org/t/iati",
            "IATI_OIDC_AUDIENCE": "platform",
            "IATI_SMTP_URL": "smtp://u:secret@mail.example.org:587",
            "IATI_FETCH_ALLOW_PRIVATE": "true",
            "IATI_FETCH_CONCURRENCY": "8",
            "IATI_FETCH_PER_HOST": "1",
            "IATI_FETCH_MAX_SIZE": "1 GB",
            "IATI_REFRESH_INTERVAL": "2h",
            "IATI_API_KEYS": "off",
            "IATI_MAX_UPLOAD": "10 MiB",
            "IATI_TRUSTED_PROXIES": "127.0.0.1, 10.0.0.0/8",
            "IATI_ALLOWED_ORIGINS": "https://App.example.org/, http://localhost:3000",
            "IATI_RETENTION_VERSIONS": "5",
            "IATI_RETENTION_WORKSPACES": "30",
            "IATI_AUDIT_PUBLIC_KEY": "age1abc",
            "IATI_MAINTENANCE_MODE": "off",
            "IATI_LOG_FORMAT": "json",
            "IATI_TODAY": "2026-06-30",
            "PATH": "/usr/bin",
        },
        tmp_path,
    )
    assert settings == Settings(
        data_dir=tmp_path,
        public_url="https://iati.example.org",
        hosts={"validator": "validator.example.org", "datastore": "data.example.org:8443"},
        database_url="postgresql+psycopg://u:secret@db/iati",
        object_store_url="s3://bucket/prefix",
        executor="dask://scheduler:8786",
        workers=3,
        oidc_issuer="https://login.example.org/t/iati",
        oidc_audience="platform",
        smtp_url="smtp://u:secret@mail.example.org:587",
        fetch_allow_private=True,
        fetch_concurrency=8,
        fetch_per_host=1,
        fetch_max_size=10**9,
        refresh_interval=7200,
        api_keys="off",
        max_upload=10 * 2**20,
        trusted_proxies=(ip_network("127.0.0.1"), ip_network("10.0.0.0/8")),
        allowed_origins=("https://app.example.org", "http://localhost:3000"),
        retention_versions=5,
        retention_workspaces=30,
        audit_public_key="age1abc",
        maintenance_mode=False,
        log_format="json",
        today=date(2026, 6, 30),
    )
    assert "secret" not in repr(settings)


def test_the_file_in_the_data_directory_is_read_with_its_own_types_and_the_environment_wins(tmp_path: Path) -> None:
    (tmp_path / "iati.toml").write_text(
        'workers = 7\nfetch_per_host = 5\nfetch_allow_private = true\ntoday = 2026-01-31\nMAX_UPLOAD = "1 MB"\n'
        'allowed_origins = ["https://a.example.org"]\n\n[hosts]\nvalidator = "validator.example.org"\n'
    )
    settings = load_settings({"IATI_WORKERS": "2"}, tmp_path)
    assert settings.workers == 2
    assert settings.fetch_per_host == 5
    assert settings.fetch_allow_private is True
    assert settings.today == date(2026, 1, 31)
    assert settings.max_upload == 1_000_000
    assert settings.allowed_origins == ("https://a.example.org",)
    assert settings.hosts == {"validator": "validator.example.org"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("workrs = 1", "workrs in {file}: there is no such setting; did you mean workers?"),
        ("workers = 1.5", "workers in {file}: 1.5 is not allowed; it takes a whole number from 1 to 1024"),
        ("workers = true", "workers in {file}: True is not allowed; it takes a whole number from 1 to 1024"),
        ("workers = 1\nWORKERS = 2", "WORKERS in {file} is set twice: keep one of them"),
        ('data_dir = "x"', "data_dir in {file}: the data directory cannot be named inside itself; use IATI_DATA_DIR or --data-dir"),
    ],
)
def test_mistakes_in_the_file_are_named(tmp_path: Path, content: str, message: str) -> None:
    file = tmp_path / "iati.toml"
    file.write_text(content)
    assert refusal({}, tmp_path) == message.format(file=file)


def test_a_file_that_is_not_toml_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "iati.toml").write_text("workers = = 1")
    assert refusal({}, tmp_path).startswith(f"{tmp_path / 'iati.toml'} cannot be read: ")


@pytest.mark.parametrize(
    ("variable", "value", "allowed"),
    [
        ("IATI_PUBLIC_URL", "iati.example.org", "a URL such as https://iati.example.org"),
        ("IATI_PUBLIC_URL", "https://h/?q", "a URL such as https://iati.example.org, without query, fragment or user"),
        ("IATI_PUBLIC_URL", "https://h:99999", "a URL such as https://iati.example.org"),
        ("IATI_HOSTS", "validator", 'a table of systems and their host names such as {"validator": "validator.example.org"}'),
        ("IATI_HOSTS", '{"validator": "a b"}', 'a table of systems and their host names such as {"validator": "validator.example.org"}'),
        ("IATI_HOSTS", '{"a": "h", "b": "H"}', "a different host name for every system"),
        ("IATI_SEARCH_URL", "solr+http://solr:8983", "nothing yet: this version searches with its embedded engine, so leave it unset"),
        ("IATI_EXECUTOR", "threads", "process, inline or dask://HOST:PORT"),
        ("IATI_WORKERS", "0", "a whole number from 1 to 1024"),
        ("IATI_WORKERS", "٣", "a whole number from 1 to 1024"),
        ("IATI_FETCH_ALLOW_PRIVATE", "maybe", "true or false"),
        ("IATI_MAX_UPLOAD", "60 parsecs", "a size up to 2 GB such as 60 MiB"),
        ("IATI_REFRESH_INTERVAL", "0", "a duration from 1 s to 30 d such as 1200, 20m or 1h"),
        ("IATI_API_KEYS", "on", "off or required"),
        ("IATI_API_KEYS", "required", "off: keys for the APIs are not there yet, protect them with your proxy meanwhile"),
        ("IATI_TRUSTED_PROXIES", "proxy", "addresses or networks separated by commas, such as 127.0.0.1,10.0.0.0/8"),
        ("IATI_ALLOWED_ORIGINS", "https://a/b", "origins separated by commas, such as https://app.example.org, or *"),
        ("IATI_LOG_FORMAT", "xml", "console or json"),
        ("IATI_TODAY", "2026-02-30", "a date such as 2026-11-22"),
        ("IATI_TODAY", "20260228", "a date such as 2026-11-22"),
    ],
)
def test_an_ill_formed_value_is_named_with_what_is_allowed(tmp_path: Path, variable: str, value: str, allowed: str) -> None:
    assert refusal({variable: value}, tmp_path) == f"{variable}: {value!r} is not allowed; it takes {allowed}"


@pytest.mark.parametrize("variable", ["IATI_DATABASE_URL", "IATI_OBJECT_STORE_URL", "IATI_SMTP_URL"])
def test_a_wrong_secret_is_not_repeated(tmp_path: Path, variable: str) -> None:
    message = refusal({variable: "ftp://user:hunter2@host"}, tmp_path)
    assert message.startswith(f"{variable}: its value is not allowed; it takes ")
    assert "hunter2" not in message


def test_an_unknown_setting_stops_the_start(tmp_path: Path) -> None:
    assert refusal({"IATI_WORKER": "1"}, tmp_path) == "IATI_WORKER: there is no such setting; did you mean IATI_WORKERS?"
    assert refusal({"IATI_XYZ": "1"}, tmp_path) == "IATI_XYZ: there is no such setting; the settings are listed in docs/settings.md"


def test_hooks_of_the_tests_and_empty_variables_are_left_alone(tmp_path: Path) -> None:
    assert load_settings({"IATI_TEST_ANYTHING": "1", "IATI_WORKERS": "", "IATIX": "1"}, tmp_path) == load_settings({}, tmp_path)


def test_a_secret_may_stand_in_a_file(tmp_path: Path) -> None:
    secret = tmp_path / "database-url"
    secret.write_text("postgresql+psycopg://u:p@db/iati\n")
    assert load_settings({"IATI_DATABASE_URL_FILE": str(secret)}, tmp_path).database_url == "postgresql+psycopg://u:p@db/iati"
    both = {"IATI_DATABASE_URL_FILE": str(secret), "IATI_DATABASE_URL": "sqlite:///x"}
    assert refusal(both, tmp_path) == "IATI_DATABASE_URL_FILE and IATI_DATABASE_URL are both set: keep one of them"
    missing = {"IATI_DATABASE_URL_FILE": str(tmp_path / "gone")}
    assert refusal(missing, tmp_path) == f"IATI_DATABASE_URL_FILE: the file {tmp_path / 'gone'} cannot be read (No such file or directory)"


def test_only_secrets_come_from_files(tmp_path: Path) -> None:
    assert refusal({"IATI_WORKERS_FILE": "/x"}, tmp_path).startswith("IATI_WORKERS_FILE: there is no such setting; ")
