/* pipeline_conf_digest.c: whether two configurations say the same of a use of a plugin, or of a pipeline.
 *
 * A digest is taken over the options as they were written, with the environment and files filled in, and over
 * the files that are read for the plugin's check: a new password or a new template is a change as well.
 */
#include "pipeline_conf_int.h"
#include <sluice/fs.h>
#include <sluice/http.h> /* SL_OPT_INLINE */
#include <xxhash.h>

static sl_id digest_of(const sl_buf *text)
{
    XXH128_hash_t hash = XXH3_128bits(text->ptr, text->len);
    return (sl_id){hash.high64, hash.low64};
}

/* Every part with its length, so that no two lists of parts make one text. */
static void add(sl_buf *text, const void *bytes, size_t len)
{
    sl_buf_append(text, &len, sizeof len);
    sl_buf_append(text, bytes, len);
}

static void add_name(sl_buf *text, const char *name)
{
    add(text, name ? name : "", name ? strlen(name) : 0);
}

static void add_node(sl_buf *text, const sl_node *node)
{
    sl_buf json = SL_BUF_NONE;
    if (node) sl_node_write_json(node, &json);
    add(text, json.ptr, json.len);
    if (json.ptr) sl_wipe(json.ptr, json.cap);
    sl_buf_release(&json);
}

/* What can't be read has been reported by who needs it. */
static void add_file(sl_buf *text, sl_span path)
{
    sl_buf content = SL_BUF_NONE;
    char *name = sl_strndup(path.ptr, path.len);
    if (path.len && sl_fs_read_file(name, SL_MAX_OPTION_FILE, &content) == 0)
        add(text, content.ptr, content.len);
    sl_buf_release(&content);
    sl_free(name);
}

/* Recursion follows the rows' own nesting. */
static void add_files(sl_buf *text, const sl_option *rows, const char *conf)
{
    for (const sl_option *row = rows; row->type != SL_OPT_NONE; row++) {
        bool nested = row->type == SL_OPT_GROUP || row->type == SL_OPT_INLINE;
        if (nested && !(row->flags & SL_OPT_LIST)) add_files(text, row->rows, conf + row->offset);
        if (row->flags & SL_OPT_FILE) add_file(text, *(const sl_span *)(const void *)(conf + row->offset));
    }
}

sl_id sl_conf__digest_use(const sl_plugin *plugin, const sl_node *options, const void *conf)
{
    sl_buf text = SL_BUF_NONE;
    add_name(&text, plugin->name);
    add_node(&text, options);
    if (plugin->options) add_files(&text, plugin->options, conf);
    sl_id digest = digest_of(&text);
    sl_wipe(text.ptr, text.cap);
    sl_buf_release(&text);
    return digest;
}

static void add_uses(sl_buf *text, const sl_use_list *uses)
{
    add(text, &uses->count, sizeof uses->count);
    for (size_t i = 0; i < uses->count; i++) {
        const sl_plugin_use *use = uses->items[i];
        add_name(text, use->pipeline);
        add_name(text, use->name);
        add(text, &use->digest, sizeof use->digest);
    }
}

sl_id sl_conf__digest_pipeline(const sl_pipeline_conf *pipeline, const sl_node *buffer)
{
    sl_buf text = SL_BUF_NONE;
    add_uses(&text, &pipeline->inputs);
    add_uses(&text, &pipeline->filters);
    add_uses(&text, &pipeline->outputs);
    add_node(&text, buffer);
    sl_id digest = digest_of(&text);
    sl_buf_release(&text);
    return digest;
}
