/* The connections to a port that pause go on. */
static void resume(int port)
{
    for (int c = 0; c < connected; c++)
        if (services[connections[c].service].port == port)
            connections[c].resumed++;
    serve_all();
}
