/// The schema of `state.db`: append a migration, never change an old one.
enum StateSchema {
    static let migrations = [
        """
        CREATE TABLE sandbox (
            name TEXT PRIMARY KEY,
            container TEXT NOT NULL,
            workspace TEXT NOT NULL,
            run_folder TEXT NOT NULL,
            engine TEXT NOT NULL,
            image TEXT NOT NULL,
            image_id TEXT NOT NULL,
            phase TEXT NOT NULL CHECK (phase IN ('starting', 'running', 'stopping')),
            ssh_port INTEGER NOT NULL,
            limits TEXT NOT NULL,
            started_seconds INTEGER NOT NULL,
            started_nanoseconds INTEGER NOT NULL
        ) STRICT;
        """,
        """
        ALTER TABLE sandbox ADD COLUMN session TEXT NOT NULL DEFAULT '';
        """,
    ]
}
