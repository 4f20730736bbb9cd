"""What the sites share: page frame, parts, charts, paging, security headers, request ids, error pages, metrics.

Nothing here knows an organisation, a dataset or an activity: rooms bring the content, this room brings the way it is shown and guarded.
"""
