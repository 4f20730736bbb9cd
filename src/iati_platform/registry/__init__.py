"""The only place where records are written: reporting organisations, datasets, where they come from, and every change.

`refs` and `records` value types other rooms use · `service` what can be asked and done · `importers` bring records in.
The tables (`models`) are this room's own business.
"""
