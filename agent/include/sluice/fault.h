/* fault.h: the durable steps by name, so that a test can end the process right behind any of them.
 *
 * In a build with SLUICE_FAULT_POINTS (CMake; on in Debug builds) the process kills itself with SIGKILL when
 * it passes the step named by SLUICE_FAULT=<name>[:<n>] in the environment for the n-th time (from 1). In
 * every other build a step is no code at all. tests/e2e/crash_points ends the agent at each and counts what
 * is lost or doubled; tests/static/check_faults holds that each name has its place.
 */
#ifndef SLUICE_FAULT_H
#define SLUICE_FAULT_H

/* POINT(constant, "<noun>.<past participle>"). Each is passed when the step has been done and nothing that
 * rests on it. */
#define SL_FAULT_POINTS(POINT)                                                                               \
    POINT(FILE_NAMED, "file.named")                   /* a followed file's id, synced */                     \
    POINT(CHECKPOINT_SAVED, "checkpoint.saved")       /* of inputs, in the state database */                 \
    POINT(SEGMENT_CREATED, "segment.created")         /* header written, name synced; no frame yet */        \
    POINT(FRAME_WRITTEN, "frame.written")             /* not synced */                                       \
    POINT(FRAME_SYNCED, "frame.synced")               /* its receipt not released */                         \
    POINT(RECEIPT_RELEASED, "receipt.released")       /* its checkpoint not saved */                         \
    POINT(SEGMENT_ROLLED, "segment.rolled")           /* sealed, the seal not synced */                      \
    POINT(SEGMENT_DELETED, "segment.deleted")         /* every output has passed it */                       \
    POINT(SEGMENT_MENDED, "segment.mended")           /* when opening: torn tail cut, sealed, synced */      \
    POINT(CURSOR_SAVED, "cursor.saved")               /* of all outputs of a journal */                      \
    POINT(DEAD_LETTER_WRITTEN, "dead_letter.written") /* synced; its record still counts as in flight */     \
    POINT(OUTPUT_WRITTEN, "output.written")           /* file output: lines written, not noted */            \
    POINT(OUTPUT_NOTED, "output.noted")               /* file output: noted, not acknowledged */             \
    POINT(OUTPUT_ROTATED, "output.rotated")           /* file output: renamed, no new file yet */

#define SL_FAULT_CONSTANT(constant, name) SL_FAULT_##constant,
typedef enum sl_fault { SL_FAULT_POINTS(SL_FAULT_CONSTANT) SL_FAULT_COUNT } sl_fault;

#ifdef SLUICE_FAULT_POINTS
#define SL_FAULT(constant) sl_fault_pass(SL_FAULT_##constant)
#else
#define SL_FAULT(constant) ((void)SL_FAULT_##constant)
#endif

/* Ends the process if this is the step and the time it was armed for. Any thread. */
void sl_fault_pass(sl_fault fault);
/* Reads the environment; called once by main, before there are threads. A value that names no step ends the
 * process: a test that was to fail there must not pass. Does nothing in a build without fault points. */
void sl_fault_init(void);

#endif
