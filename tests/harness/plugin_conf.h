/* plugin_conf.h: a plugin's configuration from YAML, as the agent reads it. */
#ifndef SLUICE_PLUGIN_CONF_H
#define SLUICE_PLUGIN_CONF_H

#include "config/options.h"

typedef struct sl_test_conf {
    char said[2048]; /* what is wrong with it; empty: nothing */
    sl_arena tree;
    sl_conf_memory *memory;
} sl_test_conf;

/* Reads yaml by the rows into *conf, which is zeroed and lives until sl_test_conf_end(), which is due in any
 * case. what: for messages, "output `kafka`". True when nothing is wrong. */
bool sl_test_conf_read(sl_test_conf *read, const char *what, const sl_option *rows, void *conf,
                       const char *yaml);
void sl_test_conf_end(sl_test_conf *read);

#endif
