/* Hello from each rank of an MPI program, which says what the ranks are to each other: whether they
 * are one job, whether messages arrive, whether they share a container (a user namespace), and
 * whether they can read each other's memory, as MPI libraries do to save a copy (cross-memory
 * attach). In containers that works if they share one: ch-run --join. */
#define _GNU_SOURCE
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

static int rank, size;

static void introduce(void)
{
    char host[256] = "";
    struct stat user_namespace;

    gethostname(host, sizeof(host) - 1);
    if (stat("/proc/self/ns/user", &user_namespace) != 0) {
        perror("/proc/self/ns/user");
        MPI_Abort(MPI_COMM_WORLD, 1);
    }
    printf("%d: init ok %s, %d ranks, userns %lu\n", rank, host, size,
           (unsigned long)user_namespace.st_ino);
    fflush(stdout);
}

/* Rank 0 sends each of the others a number, which comes back with the other's rank added. */
static void send_and_receive(void)
{
    int number = 1000;

    if (rank != 0) {
        MPI_Recv(&number, 1, MPI_INT, 0, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        number += rank;
        MPI_Send(&number, 1, MPI_INT, 0, 0, MPI_COMM_WORLD);
        return;
    }
    for (int other = 1; other < size; other++) {
        int reply;

        MPI_Send(&number, 1, MPI_INT, other, 0, MPI_COMM_WORLD);
        MPI_Recv(&reply, 1, MPI_INT, other, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        if (reply != number + other) {
            printf("0: rank %d replies %d\n", other, reply);
            MPI_Abort(MPI_COMM_WORLD, 1);
        }
    }
    printf("0: send/receive ok\n");
}

/* Each rank reads a number out of its neighbour on the same node. */
static void read_neighbour(void)
{
    struct {
        pid_t pid;
        int *number;
    } own, neighbour;
    MPI_Comm node;
    int local_rank, local_size, secret, found = -1, has_read, readers;

    MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, rank, MPI_INFO_NULL, &node);
    MPI_Comm_rank(node, &local_rank);
    MPI_Comm_size(node, &local_size);
    int from = (local_rank + local_size - 1) % local_size;

    secret = 2000 + local_rank;
    own.pid = getpid();
    own.number = &secret;
    MPI_Sendrecv(&own, sizeof(own), MPI_BYTE, (local_rank + 1) % local_size, 0, &neighbour,
                 sizeof(neighbour), MPI_BYTE, from, 0, node, MPI_STATUS_IGNORE);
    struct iovec here = {&found, sizeof(found)}, there = {neighbour.number, sizeof(found)};
    has_read = process_vm_readv(neighbour.pid, &here, 1, &there, 1, 0) == sizeof(found) &&
               found == 2000 + from;
    /* Nobody may leave before all have read. */
    MPI_Reduce(&has_read, &readers, 1, MPI_INT, MPI_SUM, 0, MPI_COMM_WORLD);
    MPI_Barrier(MPI_COMM_WORLD);
    if (rank == 0)
        printf("0: cross-memory attach: %d of %d ranks\n", readers, size);
}

int main(int argc, char **argv)
{
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    introduce();
    send_and_receive();
    read_neighbour();
    MPI_Finalize();
    if (rank == 0)
        printf("0: finalize ok\n");
    return EXIT_SUCCESS;
}
