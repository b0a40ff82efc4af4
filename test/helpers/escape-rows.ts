/** The ways in which a backend's process tree gets away: row, what it does, how many processes stand before the end (at least). */
export const escapeRows: [string, string, number][] = [
  ['1', 'a direct child', 1],
  ['2', 'a grandchild', 2],
  ['3', 'a grandchild whose parent is gone', 2],
  ['3b', 'a child whose launcher is gone', 1],
  ['4', 'processes that ignore SIGTERM', 2],
  ['5', 'a child in its own session', 2],
  ['6', 'a double-forked daemon', 2],
  ['7', 'a daemon with a cleared environment', 2],
  ['8', 'a stopped child', 2],
  ['9', 'processes that respawn on SIGTERM', 2],
  ['9b', 'processes that respawn in a new session', 2],
  ['10', '200 processes, four deep', 200],
  ['11', 'a fast forker', 2],
  ['11b', 'a chain that forks and exits', 1],
  ['11c', 'a chain that forks and exits, each in its own session', 1],
  ['11d', 'a chain that forks and exits, environment cleared', 1],
]
