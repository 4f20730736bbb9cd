"""Where the platform keeps things: records in a database, bytes in an object store, both under one data directory.

`database` engine, sessions, migrations · `objects` bytes under keys · `content` publishers' files by hash ·
`artefacts` what the process step made of them · `format` the data directory's own version · `lock` one writer at a time.
"""
