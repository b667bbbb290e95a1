/* replay.h: the input that every pipeline has for sending dead letters again; made by the app, not
 * configured. */
#ifndef SLUICE_REPLAY_H
#define SLUICE_REPLAY_H

#include "delivery/dead_letter.h"
#include <sluice/plugin.h>

typedef struct sl_replay_conf {
    const char *data_dir, *pipeline;
    sl_dead_letters *letters; /* the pipeline's */
} sl_replay_conf;

extern const sl_plugin sl_replay_plugin;

#endif
