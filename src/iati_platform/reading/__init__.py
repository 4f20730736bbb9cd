"""Reading IATI files: any bytes in, light nodes out, one parse and one pass. Pure: no database, clock or network.

reading = read(data)
for record in reading.records():
    ...
if reading.problems:  # broken somewhere: nothing of the file counts
    ...
"""

from iati_platform.reading.file import FileReading, read, tree_version
from iati_platform.reading.nodes import XML_PROBLEM_RULE, Node, Problem, ProblemCode, Record, SchemaError

__all__ = ["XML_PROBLEM_RULE", "FileReading", "Node", "Problem", "ProblemCode", "Record", "SchemaError", "read", "tree_version"]
