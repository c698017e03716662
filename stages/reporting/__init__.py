"""Pages, charts and audits about a build."""
