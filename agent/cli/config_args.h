/* config_args.h: `-c FILE` as every command takes it. */
#ifndef SLUICE_CONFIG_ARGS_H
#define SLUICE_CONFIG_ARGS_H

#include "pipeline/pipeline_conf.h"

#define SL_MAX_CONFIG_ARGS 64

typedef struct sl_config_args {
    const char *paths[SL_MAX_CONFIG_ARGS];
    size_t count;
} sl_config_args;

int sl_config_args_add(sl_config_args *args, const char *path); /* 0, or SL_E_LIMIT */
/* Loads; errors and warnings are printed on stderr. NULL when there are errors. */
sl_config *sl_config_args_load(const sl_config_args *args);

#endif
