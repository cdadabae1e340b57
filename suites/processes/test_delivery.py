"""Delivering projects: set up, worked on, and what is bought for them."""

from scenarios.procurement_approval import procurement_approval
from scenarios.project_creation import project_creation
from scenarios.time_entry import time_entry

__all__ = ["procurement_approval", "project_creation", "time_entry"]
