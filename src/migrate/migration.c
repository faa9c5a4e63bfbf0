/* migration.c */ typedef int moho_migration_unused;
