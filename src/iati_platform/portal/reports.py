def findings(platform, entry):
    return None


def with_source(platform, entry, shown):
    return shown


def as_json(platform, entry):
    return None
