/* cmd_state.c: `sluice state`: what the inputs and outputs remember between runs. Reads only; the agent may
 * run meanwhile. */
#include "cli.h"
#include "data_dir_args.h"
#include "state/state_db.h"
#include <stdio.h>

static bool is_text(sl_span value)
{
    for (size_t i = 0; i < value.len; i++) {
        if (value.ptr[i] < 0x20 || value.ptr[i] > 0x7e) return false;
    }
    return true;
}

static void print_value(sl_span value)
{
    if (is_text(value)) {
        printf(SL_SPAN_FMT, SL_SPAN_ARG(value));
        return;
    }
    fputs("0x", stdout);
    for (size_t i = 0; i < value.len; i++)
        printf("%02x", (unsigned char)value.ptr[i]);
}

static bool print_entry(void *arg, sl_span scope, sl_span key, sl_span value)
{
    (void)arg;
    printf(SL_SPAN_FMT "  " SL_SPAN_FMT "  ", SL_SPAN_ARG(scope), SL_SPAN_ARG(key));
    print_value(value);
    putchar('\n');
    return true;
}

int cmd_state(int argc, char **argv)
{
    char data_dir[SL_MAX_DATA_DIR];
    int code = sl_data_dir_args(argc, argv, "sluice state", false, data_dir);
    if (code >= 0) return code;
    sl_err err = SL_ERR_NONE;
    if (sl_state_each_scope(data_dir, print_entry, NULL, &err) == 0) return SL_EXIT_OK;
    fprintf(stderr, "sluice: %s\n", err.text);
    return SL_EXIT_FAILED;
}
