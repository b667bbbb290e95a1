/* app.h: the agent as a whole: everything wired together, started, run, drained and taken apart. Main thread.
 */
#ifndef SLUICE_APP_H
#define SLUICE_APP_H

#include "pipeline/reload.h"

typedef struct sl_app sl_app;

typedef struct sl_app_conf {
    const sl_config *config;  /* to begin with */
    const char *const *paths; /* what it was read from, and what a reload reads */
    size_t n_paths;
    bool once; /* every input reads to its end, then the app ends by itself */
} sl_app_conf;

/* Takes data_dir for this process, starts loops, pipelines, inputs and the admin pages. NULL with err:
 * nothing is left running. What conf points to must outlive the app. */
sl_app *sl_app_start(const sl_app_conf *conf, sl_err *err);
/* Runs until SIGTERM or SIGINT (or, with once, until all is delivered), then drains and stops everything.
 * True: every record that was received was delivered or filtered on purpose. */
bool sl_app_run(sl_app *app);
void sl_app_free(sl_app *app);

/* The pipelines, whose ledgers stay readable until a reload changes them, or sl_app_free(). */
sl_pipeline *const *sl_app_pipelines(const sl_app *app, unsigned *count);
sl_loop *sl_app_main_loop(const sl_app *app);

#endif
