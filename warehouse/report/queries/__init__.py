"""This package holds the report's own questions to the lake, one `.sql` file each."""
