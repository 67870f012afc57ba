"""The report: from the files that analyses leave behind to one page of HTML and one PDF."""
