/* dead_letter.h: records that nobody will take, kept with the reason until a person has looked at them.
 *
 * One journal a pipeline, in data_dir/dead_letters/<pipeline>, made when the first letter is written. Its
 * records are JSON envelopes, one a letter:
 *   {"reason","output","first_error","last_error","attempts","first_time","id","source","origin","record"}
 * record: the object as it would have been sent, or a string: the line that no filter had made an object of.
 * Of a record over SL_DEAD_LETTER_MAX_RECORD the beginning is kept, as a string; "cut" says how many bytes
 * are missing, sluice_dead_letters_cut_total and the log how often that happened.
 * source (hexadecimal) and origin give the record the same id when it is sent again; where they do not make
 * `id`, that is the record's own and is given to it.
 *
 * Letters are sent again when a person asks (`sluice deadletter replay`): the command leaves a request, the
 * running or next agent carries it out (pipeline/replay.c) and moves the journal's one cursor past them.
 */
#ifndef SLUICE_DEAD_LETTER_H
#define SLUICE_DEAD_LETTER_H

#include <sluice/json.h>
#include <sluice/record.h>

#define SL_DEAD_LETTERS_MAX_SIZE  (UINT64_C(1) << 30) /* bytes on disk a pipeline; then records wait */
#define SL_DEAD_LETTERS_PATH      4096
#define SL_DEAD_LETTER_MAX_RECORD (UINT32_C(32) << 20) /* bytes of a record that a letter keeps */
#define SL_DEAD_LETTER_MAX_TEXT   (UINT32_C(64) << 10) /* bytes of each other text */

typedef struct sl_dead_letters sl_dead_letters;

typedef struct sl_dead_letter {
    const char *output; /* the output's name, or "filters" */
    const char *reason; /* snake_case */
    const char *first_error, *last_error;
    uint32_t attempts;
    int64_t first_time_ns; /* of the first attempt */
    sl_id id;
    sl_id source;
    uint64_t origin;
    sl_span record; /* JSON text as it would have been sent; or, for a raw line, the line */
    bool raw;
} sl_dead_letter;

/* Touches nothing on the disk yet. */
sl_dead_letters *sl_dead_letters_open(const char *data_dir, const char *pipeline);
void sl_dead_letters_close(sl_dead_letters *letters); /* NULL is fine */
/* Durable when it returns 0. An error (disk full): the caller must keep the records and try again; some may
 * be written then, and come twice. Any thread, one at a time: a lock inside. */
int sl_dead_letters_write(sl_dead_letters *letters, const sl_dead_letter *letter, size_t count, sl_err *err);
/* Every letter in a frame before `next` has been sent again and is safe: it is not kept any longer. Any
 * thread. */
int sl_dead_letters_ack(sl_dead_letters *letters, uint64_t next, sl_err *err);

/* Appends the letter as JSON. */
void sl_dead_letter_format(const sl_dead_letter *letter, sl_buf *out);
/* The record of a letter, ready to be sent again: an open batch of one, with its old source and origin, for
 * the output that refused it. NULL: this is no letter. The tape is work space. */
sl_batch *sl_dead_letter_parse(sl_span text, int64_t time_ns, sl_tape *tape);

/* The folder of a pipeline's letters, and the file that asks for sending them again: it holds, as decimal
 * text, the sequence of the last frame that is meant. */
void sl_dead_letters_folder(const char *data_dir, const char *pipeline, char out[SL_DEAD_LETTERS_PATH]);
void sl_dead_letters_request_path(const char *data_dir, const char *pipeline, char out[SL_DEAD_LETTERS_PATH]);
/* The sequence of the first frame that is still kept. */
uint64_t sl_dead_letters_first(const char *folder);

#endif
