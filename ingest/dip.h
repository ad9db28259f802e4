/* dip.h - a dissolve as its contrast shows it: where two scenes lie over each other, both are
 * fainter.
 *
 * Of unlike scenes A and B, w of the way through, a variance of the blend is (1-w)^2 A + w^2 B:
 * half of what both have in the middle, whatever moves in them. Of anything else it goes
 * straight from A to B. */
#ifndef KS_DIP_H
#define KS_DIP_H

#include <stdint.h>

enum { KS_DIP_ENERGIES = 3, KS_DIP_LOOKS = 256, KS_DIP_BLOCKS = 12 };

/* Of a small picture: variance of Y, squared steps between neighbours in Y, variance of U and V;
 * and the squared steps within each of its 4 x 3 blocks. */
typedef struct {
    double whole[KS_DIP_ENERGIES], block[KS_DIP_BLOCKS];
} ks_dip_energies;
void ks_dip_measure(ks_dip_energies *out, const uint8_t *picture);

typedef struct {
    /* looks, without a cut between them; the one asked about */
    int n, middle;
    double t[KS_DIP_LOOKS]; /* seconds, growing */
    const ks_dip_energies *energy[KS_DIP_LOOKS];
} ks_dip_window;

/* How much better than a straight line a dissolve with its middle in the one asked about
 * explains the energies: log of the quotient of the squares left over, > 0 is better; -INFINITY:
 * none is possible. *half: seconds of it on each side, at most KS_DIP_LONGEST. */
#define KS_DIP_LONGEST 1.0
#define KS_DIP_BESIDE  0.32 /* seconds of pure pictures on each side that are looked at, too */
double ks_dip(double *half, const ks_dip_window *w);

/* The same of the blocks, each by itself, with that half: the mean of all that show something.
 * Far above 0 in a dissolve, which everything takes part in; below where a thing leaves the
 * picture. */
double ks_dip_of_blocks(const ks_dip_window *w, double half);

#endif
