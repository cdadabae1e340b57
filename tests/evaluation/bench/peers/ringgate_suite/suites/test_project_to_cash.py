from scenarios.project_to_cash import project_to_cash

__all__ = ["project_to_cash"]
