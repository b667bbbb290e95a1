/* aws_search.h: one search for credentials: the region, the sources in their order, and the roles on top, each step
 * with its request, none of which holds the loop. One loop. */
#ifndef SLUICE_AWS_SEARCH_H
#define SLUICE_AWS_SEARCH_H

#include "aws_source.h"

typedef struct sl_aws_search sl_aws_search;

/* conf, http and region outlive it. region: empty, if it is to be found, too. done() is called once, on the loop, never from within a call; its keys and region are
 * valid during it, and may be taken over: a keys that was emptied is not wiped again. NULL keys: err says what was
 * tried, and why it gave none. */
sl_aws_search *
sl_aws_search_new(sl_loop *loop, const sl_aws_conf *conf, const sl_http_conf *http, sl_span region,
                  void (*done)(void *arg, sl_aws_keys *keys, sl_span region, const sl_err *err), void *arg);
/* Also from within done(); done() is not called any more. NULL is fine. */
void sl_aws_search_free(sl_aws_search *search);

#endif
