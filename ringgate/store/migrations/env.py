"""What Alembic runs: all migrations on the connection that it was given, in one transaction of the caller's."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], transactional_ddl=False)
context.run_migrations()
