use command::{REDIS_VERSION, RUBRICA_VERSION};

/// The server's name as a rubricated initial, beside what an operator wants to know first.
pub fn logo(port: u16, workers: usize) -> String {
    format!(
        r"
      .-------------------.
      | ########\         |
      | ##|    ##\        |     Rubrica {RUBRICA_VERSION}, {bits} bit
      | ##|    ##/        |     Compatible with Redis {REDIS_VERSION}
      | ########/         |
      | ##|  ##\   _  _   |     Running in standalone mode, {workers} workers
      | ##|   ##\ | || |  |     Port: {port}
      | ##|    ##\ \_,_|  |     PID: {pid}
      |                   |
      '-------------------'

",
        bits = usize::BITS,
        pid = std::process::id()
    )
}
