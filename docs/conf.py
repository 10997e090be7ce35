"""How Sphinx makes the site out of these pages: ``make docs``."""

from __future__ import annotations

from airflow_provider_useapi import __version__

project = "airflow-provider-useapi"
author = "The authors of airflow-provider-useapi"
version = release = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc"]
exclude_patterns = ["constraints.txt"]
nitpicky = True
# What is Airflow's, Python's or a type variable has no page here.
nitpick_ignore_regex = [
    ("py:.*", r"(?!airflow_provider_useapi).*"),
    ("py:.*", r".*\.(T|TriggerArguments)"),  # a type variable; the arguments of a watcher
]

# The anchors that a repository browser gives to headings.
myst_heading_anchors = 4
myst_links_external_new_tab = False

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
toc_object_entries_show_parents = "hide"
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 88

html_theme = "furo"
html_title = f"{project} {version}"
html_copy_source = False
html_show_sphinx = False
html_show_copyright = False
html_static_path = ["static"]
html_css_files = ["narrow.css"]
pygments_style = "friendly"
pygments_dark_style = "native"
