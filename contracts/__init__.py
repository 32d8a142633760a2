"""Everything that travels: change events, commands, results, money. Types and their (de)serialisation,
nothing else.
"""
