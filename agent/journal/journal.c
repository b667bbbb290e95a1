/* journal.c: the calls of journal.h, for either kind. */
#include "journal_int.h"

static int check_outputs(const char *const *outputs, unsigned n_outputs, sl_err *err)
{
    if (n_outputs > SL_JOURNAL_MAX_OUTPUTS)
        return sl_err_set(err, SL_E_LIMIT, "a journal can have at most %u outputs, not %u",
                          SL_JOURNAL_MAX_OUTPUTS, n_outputs);
    for (unsigned i = 0; i < n_outputs; i++) {
        size_t len = strlen(outputs[i]);
        if (len == 0 || len > SL_JOURNAL_MAX_NAME)
            return sl_err_set(err, SL_E_LIMIT, "the output's name %s is longer than %u bytes", outputs[i],
                              SL_JOURNAL_MAX_NAME);
    }
    return 0;
}

sl_journal *sl_journal_open(const char *dir, const sl_journal_conf *conf, const char *const *outputs,
                            unsigned n_outputs, const sl_journal_events *events, void *arg,
                            sl_journal_report *report, sl_err *err)
{
    *report = (sl_journal_report){0};
    if (check_outputs(outputs, n_outputs, err) < 0) return NULL;
    if (conf->type == SL_JOURNAL_MEMORY) return sl_journal__open_memory(conf, n_outputs, events, arg);
    return sl_journal__open_disk(dir, conf, outputs, n_outputs, events, arg, report, err);
}

void sl_journal_close(sl_journal *journal)
{
    if (journal) journal->ops->close(journal);
}
int sl_journal_append(sl_journal *journal, sl_frame *frame, sl_batch *batch, sl_err *err)
{
    return journal->ops->append(journal, frame, batch, err);
}
void sl_journal_lift_limit(sl_journal *journal)
{
    journal->conf.max_size = 0;
}
void sl_journal_ack(sl_journal *journal, unsigned output, uint64_t next)
{
    journal->ops->ack(journal, output, next);
}
int64_t sl_journal_tick(sl_journal *journal, int64_t now_mono_ns)
{
    return journal->ops->tick(journal, now_mono_ns);
}
uint64_t sl_journal_first(const sl_journal *journal, unsigned output)
{
    return journal->ops->first(journal, output);
}
uint64_t sl_journal_next(const sl_journal *journal)
{
    return journal->ops->next(journal);
}
void sl_journal_stats_get(const sl_journal *journal, sl_journal_stats *out)
{
    journal->ops->stats(journal, out);
}
size_t sl_journal_backlog(const sl_journal *journal, unsigned output, sl_backlog *out, size_t max)
{
    return journal->ops->backlog(journal, output, out, max);
}

uint64_t sl_journal_buffered(const sl_journal *journal, unsigned output)
{
    size_t count = sl_journal_backlog(journal, output, NULL, 0);
    sl_backlog *list = sl_calloc(count ? count : 1, sizeof(*list));
    count = sl_journal_backlog(journal, output, list, count);
    uint64_t records = 0;
    for (size_t i = 0; i < count; i++)
        records += list[i].records;
    sl_free(list);
    return records;
}
