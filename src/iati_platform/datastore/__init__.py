"""The Datastore: search index, query language, HTTP API; `tables` holds the analytics tables."""
