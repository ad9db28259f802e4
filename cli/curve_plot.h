/* curve_plot.h - a question along one film, drawn in a terminal. */
#ifndef KS_CURVE_PLOT_H
#define KS_CURVE_PLOT_H

#include "cli/terminal.h"
#include "session/session.h"

/* Eight lines and the times below; as wide as the terminal, 80 columns where there is none. */
int ks_plot_curve(FILE *f, const ks_curve *c, const ks_terminal *t, ks_error *e);
/* "Best at 0:31. Above the cut-off: 0:28 - 0:35, 1:02 - 1:05." */
void ks_say_peaks(FILE *f, const ks_curve *c, const ks_terminal *t);

#endif
