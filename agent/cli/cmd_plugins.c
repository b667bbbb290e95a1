/* cmd_plugins.c: `sluice plugins [--load FILE]... [NAME | --markdown]`: what there is to configure. */
#include "cli.h"
#include "config/suggest.h"
#include "pipeline/conf_docs.h"
#include "plugin/registry.h"
#include <getopt.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define WIDTH_DEFAULT 100 /* columns when standard output is no terminal */
#define WIDTH_MIN     40

static int usage(int code)
{
    fputs("usage: sluice plugins [--load FILE]... [NAME | --markdown]\n"
          "  NAME          prints the options of the plugins of this name\n"
          "  --markdown    prints the reference of the whole configuration\n"
          "  --load FILE   a shared object with further plugins\n",
          code == SL_EXIT_OK ? stdout : stderr);
    return code;
}

static unsigned terminal_width(void)
{
    struct winsize size;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_col == 0) return WIDTH_DEFAULT;
    return size.ws_col < WIDTH_MIN ? WIDTH_MIN : size.ws_col;
}

/* Prints every plugin of one name; there may be one of each kind. */
typedef struct listing {
    sl_buf *out;
    sl_suggest name;
} listing;

static bool print_if_named(void *arg, const sl_plugin *plugin)
{
    listing *l = arg;
    sl_suggest_offer(&l->name, plugin->name);
    if (!sl_span_is_cstr(l->name.word, plugin->name)) return true;
    if (l->out->len) sl_buf_append_char(l->out, '\n');
    sl_conf_docs_print_plugin(l->out, plugin, terminal_width());
    return true;
}

static int print_named(const char *name, sl_buf *out)
{
    listing l = {out, sl_suggest_for(sl_span_of(name))};
    sl_registry_each(print_if_named, &l);
    if (out->len) return SL_EXIT_OK;
    if (l.name.best)
        fprintf(stderr, "sluice: there is no plugin `%s`; did you mean `%s`?\n", name, l.name.best);
    else
        fprintf(stderr, "sluice: there is no plugin `%s`; `sluice plugins` lists them\n", name);
    return SL_EXIT_USAGE;
}

static int print(const char *name, bool markdown)
{
    sl_buf out = SL_BUF_NONE;
    int code = SL_EXIT_OK;
    if (markdown)
        sl_conf_docs_write_reference(&out);
    else if (name)
        code = print_named(name, &out);
    else
        sl_conf_docs_print_plugins(&out);
    fputs(sl_buf_cstr(&out), stdout); /* nothing where there is no such plugin */
    sl_buf_release(&out);
    return code;
}

int cmd_plugins(int argc, char **argv)
{
    static const struct option longs[] = {{"load", required_argument, NULL, 'l'},
                                          {"markdown", no_argument, NULL, 'm'},
                                          {"help", no_argument, NULL, 'h'},
                                          {0}};
    bool markdown = false;
    for (int opt; (opt = getopt_long(argc, argv, "h", longs, NULL)) != -1;) {
        sl_err err = SL_ERR_NONE;
        if (opt == 'h') return usage(SL_EXIT_OK);
        if (opt != 'm' && opt != 'l') return usage(SL_EXIT_USAGE);
        markdown |= opt == 'm';
        if (opt == 'l' && sl_registry_load(optarg, &err) < 0) {
            fprintf(stderr, "sluice: %s\n", err.text);
            return SL_EXIT_USAGE;
        }
    }
    if (argc - optind > (markdown ? 0 : 1)) return usage(SL_EXIT_USAGE);
    return print(argv[optind], markdown);
}
