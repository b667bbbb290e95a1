/* output_link.c: see the header. */
#include "output_link.h"

#define MAX_BACKLOG_SEGMENTS 65536

static void on_moved(sl_message *msg)
{
    sl_output_link *link = sl_container_of(msg, sl_output_link, moved);
    sl_assert_on(link->conf.loop);
    __atomic_store_n(&link->posted, false, __ATOMIC_SEQ_CST);
    uint64_t next = __atomic_load_n(&link->next, __ATOMIC_SEQ_CST);
    sl_journal_ack(link->conf.journal, link->conf.index, next);
}

/* On the output's loop. */
static void on_acked(void *arg, uint64_t next)
{
    sl_output_link *link = arg;
    __atomic_store_n(&link->next, next, __ATOMIC_SEQ_CST);
    if (!__atomic_exchange_n(&link->posted, true, __ATOMIC_SEQ_CST))
        sl_loop_post(link->conf.loop, &link->moved);
}

/* On the output's loop. */
static void on_drained(void *arg)
{
    sl_output_link *link = arg;
    __atomic_store_n(&link->drained, true, __ATOMIC_SEQ_CST);
    link->conf.drained(link->conf.arg);
}

int sl_output_link_start(sl_output_link *link, const sl_output_link_conf *conf, sl_err *err)
{
    const sl_plugin_use *use = conf->use;
    sl_backlog *backlog = sl_calloc(MAX_BACKLOG_SEGMENTS, sizeof *backlog);
    sl_output_worker_conf worker = {
        .name = use->name,
        .pipeline = conf->pipeline,
        .plugin = use->plugin,
        .conf = use->conf,
        .delivery = use->delivery,
        .journal_dir = conf->folder,
        .data_dir = conf->data_dir,
        .first = sl_journal_first(conf->journal, conf->index),
        .next = sl_journal_next(conf->journal),
        .backlog = backlog,
        .backlog_count = sl_journal_backlog(conf->journal, conf->index, backlog, MAX_BACKLOG_SEGMENTS),
        .once = conf->once,
        .ledger = &link->ledger,
        .dead_letters = conf->letters,
        .acked = on_acked,
        .arg = link,
    };
    link->conf = *conf;
    link->moved.run = on_moved;
    link->worker = sl_output_worker_start(&worker, err);
    sl_free(backlog);
    return link->worker ? 0 : sl_err_prefix(err, "output %s", use->name);
}

void sl_output_link_offer(sl_output_link *link, uint64_t sequence, uint64_t segment, uint32_t records,
                          sl_batch *batch)
{
    sl_output_worker_offer(link->worker, sequence, segment, records, batch);
}

void sl_output_link_drop_before(sl_output_link *link, uint64_t sequence, const char *reason)
{
    sl_output_worker_drop_before(link->worker, sequence, reason);
}

void sl_output_link_drain(sl_output_link *link)
{
    sl_output_worker_drain(link->worker, on_drained, link);
}

bool sl_output_link_is_drained(const sl_output_link *link)
{
    return __atomic_load_n(&link->drained, __ATOMIC_SEQ_CST);
}

void sl_output_link_stop(sl_output_link *link)
{
    if (link->worker) sl_output_worker_stop(link->worker);
    link->worker = NULL;
}
