"""Wikitext: titles, links, templates and tables of MediaWiki, and the plain text of a page."""
