/* Any bytes as the state database: it is opened, or set aside and a new one begun, or refused with a reason;
 * what is put into an opened one is there after the next opening. Listing it changes nothing and never fails
 * hard.
 */
#include "scratch_dir.h"
#include "state/state_db.h"

#include <sluice/logger.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool on_any(void *arg, sl_span scope, sl_span key, sl_span value)
{
    (void)arg;
    return scope.len + key.len + value.len < SIZE_MAX / 2;
}

static bool on_value(void *arg, sl_span key, sl_span value)
{
    size_t *count = arg;
    if (key.len + value.len >= SIZE_MAX / 2) abort();
    ++*count;
    return true;
}

static sl_state *open_state(void)
{
    sl_err err = SL_ERR_NONE;
    sl_state *state = sl_state_open(scratch, SL_SPAN("scope"), &err);
    if (!state && (!err.code || !err.text[0])) abort();
    return state;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    sl_buf value = SL_BUF_NONE;
    size_t count = 0;
    scratch_make();
    scratch_write(SL_STATE_DB_NAME, data, size);
    (void)sl_state_each_scope(scratch, on_any, NULL, NULL);
    sl_state *state = open_state();
    bool kept = state && sl_state_put(state, SL_SPAN("key"), SL_SPAN("value"), NULL) == 0 &&
                sl_state_commit(state, false, NULL) == 0;
    if (state) (void)sl_state_each(state, on_value, &count, NULL);
    sl_state_close(state);
    if (kept) {
        state = open_state();
        if (!state || sl_state_get(state, SL_SPAN("key"), &value, NULL) != 0) abort();
        if (!sl_span_is_cstr(sl_buf_span(&value), "value")) abort();
        sl_state_close(state);
    }
    sl_buf_release(&value);
    scratch_empty();
    return 0;
}
