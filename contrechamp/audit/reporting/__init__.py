"""The report: one document in blocks, said in two languages, set in HTML and in PDF by two renderers."""
