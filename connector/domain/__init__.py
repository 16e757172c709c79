"""Pure decisions: slots, facts, steps, the fold, moves. Standard library only."""
