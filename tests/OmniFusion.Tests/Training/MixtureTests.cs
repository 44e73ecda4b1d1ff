using OmniFusion.Training.Examples;

namespace OmniFusion.Tests.Training;

public sealed class MixtureTests
{
    [Fact]
    public void WhatOneOfManyThreadsCannotReadIsSaidInItsOwnWords()
    {
        Mixture mixture = new([(new Unreadable(), 1)], batchSeconds: 10, seed: 1, threads: 2);
        Assert.Equal("speech.pack cannot be read.", Assert.Throws<OmniFusionException>(() => mixture.At(1)).Message);
    }

    private sealed class Unreadable : ExampleSource
    {
        internal override int Count => 4;

        internal override double Cost(int index) => 1;

        internal override Example Make(int index, int pass) => throw new OmniFusionException("speech.pack cannot be read.");
    }
}
