"""A twin of the Bread & Butter platform: it tells of visitors, and is told of moves and scores."""
