from scenarios.sign_in_and_out import sign_in_and_out

__all__ = ["sign_in_and_out"]
