"""The Bulk Data Service: fetch every registered file, keep the last good copy of each, publish indices and ZIPs.

Behaviour follows generation G2 of the peer's service; where we go further the improvement is additive.
"""
