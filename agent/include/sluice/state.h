/* state.h: small durable values: checkpoints, ids, cursors of plugins. One SQLite database in data_dir.
 *
 * Each user opens its own handle and uses it on one loop. Values live under (scope, key); a scope is named by
 * the core, `input/<pipeline or shared name>/<plugin>`, so that two inputs never meet.
 */
#ifndef SLUICE_STATE_H
#define SLUICE_STATE_H

#include <sluice/base.h>

typedef struct sl_state sl_state;

#define SL_STATE_MAX_KEY   512
#define SL_STATE_MAX_VALUE (64u * 1024)

int sl_state_get(sl_state *state, sl_span key, sl_buf *value,
                 sl_err *err); /* 0, SL_E_NOT_FOUND, SL_E_STATE */
/* Puts and removals are collected and written in one transaction by commit; get and each see them after it.
 */
int sl_state_put(sl_state *state, sl_span key, sl_span value, sl_err *err);
int sl_state_remove(sl_state *state, sl_span key, sl_err *err);
/* durable: synced to the disk before it returns (power loss); else it survives the end of the process only.
 */
int sl_state_commit(sl_state *state, bool durable, sl_err *err);
/* Every key of the scope, in order; fn returns false to stop. */
int sl_state_each(sl_state *state, bool (*fn)(void *arg, sl_span key, sl_span value), void *arg, sl_err *err);

#endif
