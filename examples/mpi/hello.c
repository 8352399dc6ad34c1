/* Hello from each rank, which then reads its neighbour's memory as MPI libraries do to save a copy
 * (cross-memory attach). In containers that works if the ranks share one: ch-run --join. */
#define _GNU_SOURCE
#include <errno.h>
#include <mpi.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

struct message {
    pid_t pid;
    char *text;
};

int main(int argc, char **argv)
{
    char own[64], theirs[64] = "";
    struct message sent = {getpid(), own}, received;
    int rank, size, from;

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    snprintf(own, sizeof(own), "hello from rank %d of %d", rank, size);
    from = (rank + size - 1) % size;
    MPI_Sendrecv(&sent, sizeof(sent), MPI_BYTE, (rank + 1) % size, 0, &received, sizeof(received),
                 MPI_BYTE, from, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);

    struct iovec here = {theirs, sizeof(theirs)}, there = {received.text, sizeof(theirs)};
    if (process_vm_readv(received.pid, &here, 1, &there, 1, 0) == sizeof(theirs))
        printf("rank %d read: %s\n", rank, theirs);
    else
        printf("rank %d cannot read rank %d: %s\n", rank, from, strerror(errno));
    MPI_Barrier(MPI_COMM_WORLD);
    MPI_Finalize();
    return 0;
}
