"""What an operator can set. One field is one setting, file key and variable ``STOKER_<NAME>``.

``stoker.main.config`` reads them from flags, the environment and a TOML file, in this order of precedence;
``docs/operating.md`` documents each one, and a test holds the two together.
"""

from pathlib import Path

import msgspec

from stoker.core.hardware import Hardware


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    host: str = "127.0.0.1"
    """Address to listen on."""
    port: int = 8080
    """Port to listen on; 0 takes a free one."""
    data_dir: Path
    """Everything that is kept: database, files, environments."""
    public_url: str | None = None
    """The base of every URL that is given out, for a server behind a proxy."""
    tls_cert: Path | None = None
    """PEM file with the certificate chain; switches TLS on."""
    tls_key: Path | None = None
    """PEM file with the certificate's key."""
    account: str = "local"
    """Name of the account that the first start creates."""
    bootstrap_token: str | None = None
    """API token for that account, instead of a random one."""
    allow_net: tuple[str, ...] = ()
    """Private networks (CIDR) that webhooks and input URLs may reach."""
    allow_http_webhooks: bool = True
    """Whether a webhook URL may be http."""
    drain_s: float = 30.0
    """How long running predictions may go on after SIGTERM."""
    idle_s: float = 60.0
    """How long an instance stays without work."""
    fork_servers: int = 4
    """Most processes that keep heavy imports ready for quick starts; 0 starts every instance plainly."""
    fork_server_idle_s: float = 3600.0
    """How long such a process stays when no instance is started from it."""
    max_instances: int = 4
    """Most instances of one version at once; a deployment has a number of its own."""
    memory_bytes: int | None = None
    """Main memory for all instances together; None is nine tenths of what the machine has."""
    disk_spare_bytes: int = 64 * 1024 * 1024
    """With less room on the disk than this, nothing new is taken or started, so that what runs can end."""
    setup_timeout_s: float = 600.0
    """How long ``setup`` may take."""
    run_timeout_s: float = 1800.0
    """How long a prediction may run."""
    train_timeout_s: float = 86400.0
    """How long a training may run."""
    wait_log_s: float = 15.0
    """How long a prediction waits before its logs say why; 0 is never."""
    cancel_grace_s: float = 10.0
    """How long a cancelled model may take to stop before its instance is killed."""
    retention_s: float = 3600.0
    """How long input, output, files and logs of a finished prediction are kept."""
    rate_limit_create_per_minute: int | None = None
    """Most predictions that one token may create in a minute; 0 is no limit."""
    rate_limit_per_minute: int | None = None
    """Most other requests of one token in a minute, polls of a prediction apart; 0 is no limit."""
    queue_limit: int = 200_000
    """Most predictions that may wait for the same version or deployment; 0 is no limit."""
    queue_limit_per_account: int = 100_000
    """Most predictions of one account that may wait at once; 0 is no limit."""
    models_per_account: int = 1000
    """Most models of one account; 0 is no limit (section 5.4 of the HTTP contract)."""
    upload_ttl_s: float = 86400.0
    """How long an uploaded file is kept."""
    environment_keep_s: float = 604800.0
    """How long an environment that no version needs any more is kept."""
    openai_queue_s: float = 600.0
    """How long a request of OpenAI's API may wait for an instance; then it is refused, and nothing runs."""
    body_limit_bytes: int = 32 * 1024 * 1024
    """Largest JSON body."""
    upload_limit_bytes: int = 100 * 1024 * 1024
    """Largest file uploaded through the Files API."""
    source_file_limit_bytes: int = 16 * 1024**3
    """Largest file of a pushed source tree."""
    input_file_limit_bytes: int = 4 * 1024**3
    """Largest file fetched for an input URL."""
    input_fetch_timeout_s: float = 600.0
    """How long fetching one file for an input URL may take."""
    output_limit_bytes: int = 256 * 1024 * 1024
    """Largest output of a prediction, its files not counted."""
    log_limit_bytes: int = 4 * 1024 * 1024
    """Most log text kept of a prediction or a set-up."""
    instance_memory_bytes: int | None = None
    """Most private memory that a model process may take."""
    instance_open_files: int | None = None
    """Most files that a model process may have open."""
    hub_url: str | None = None
    """Where weights are fetched from by name, instead of Hugging Face."""
    hub_token: str | None = None
    """Token for what the hub does not give to everybody."""
    strict_builds: bool = False
    """Whether warnings of a build are errors for everyone."""
    hardware: tuple[Hardware, ...] = ()
    """What models and deployments can ask for, and its price; without any, what the machine has."""
