def of_organisation(platform, org_id):
    return []
