/* progress.h: what `run --once` shows: a line that moves while it works, and the summary at the end. Main
 * loop. */
#ifndef SLUICE_PROGRESS_H
#define SLUICE_PROGRESS_H

#include "app.h"

typedef struct sl_progress sl_progress;
/* A line on stderr, renewed while the app runs. NULL when stderr is no terminal. */
sl_progress *sl_progress_start(sl_app *app);
void sl_progress_stop(sl_progress *progress); /* NULL is fine */
/* The ledger for a person, on stderr. seconds: how long it took. */
void sl_progress_print_summary(const sl_app *app, double seconds, bool complete);

#endif
