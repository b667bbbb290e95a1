/* config_args.c: loading the configuration a command was given, and saying what is wrong with it. */
#include "config_args.h"
#include <stdio.h>

int sl_config_args_add(sl_config_args *args, const char *path)
{
    if (args->count == SL_MAX_CONFIG_ARGS) return SL_E_LIMIT;
    args->paths[args->count++] = path;
    return 0;
}

sl_config *sl_config_args_load(const sl_config_args *args)
{
    sl_problems *problems = sl_problems_new();
    sl_config *config = sl_config_load(args->paths, args->count, problems);
    sl_buf text = SL_BUF_NONE;
    sl_problems_print(problems, &text);
    if (text.len) fputs(sl_buf_cstr(&text), stderr);
    sl_buf_release(&text);
    sl_problems_free(problems);
    return config;
}
