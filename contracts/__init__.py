"""What travels: change events, commands, results and money. Types and their (de)serialisation, nothing else."""
