"""Rollouts over hosts that are not there: what a controller may never do, whatever hosts do, and if it dies."""
