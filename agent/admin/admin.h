/* admin.h: the agent's own pages: /live, /ready, /metrics, /api/v1/ledger, /api/v1/reload. Main loop only.
 */
#ifndef SLUICE_ADMIN_H
#define SLUICE_ADMIN_H

#include "pipeline/reload.h"

typedef struct sl_admin sl_admin;

/* topology, reload: must outlive the admin. NULL with err when the address cannot be had. */
sl_admin *sl_admin_new(sl_loop *loop, const sl_service_conf *service, const sl_topology *topology,
                       sl_reload *reload, sl_err *err);
void sl_admin_free(sl_admin *admin); /* NULL is fine */
uint16_t sl_admin_port(const sl_admin *admin);

/* The ledger of every pipeline and output as JSON, as /api/v1/ledger gives it:
 * {"pipelines":[{"name","received","recovered","filtered","dead_lettered","dropped":{reason:n},"on_the_way","journaled","balanced",
 *   "outputs":[{"name","delivered","filtered","buffered","in_flight","dead_lettered","dropped":{reason:n},"retries"}]}]}
 * balanced: the sums of DESIGN 5 hold at this moment; while records move they may be off by those on the way.
 */
void sl_admin_write_ledger(sl_buf *out, sl_pipeline *const *pipelines, unsigned count);
/* The same numbers as metric families. */
void sl_admin_write_ledger_metrics(sl_buf *out, sl_pipeline *const *pipelines, unsigned count);

#endif
