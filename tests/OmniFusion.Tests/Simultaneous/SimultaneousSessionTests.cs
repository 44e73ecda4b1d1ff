using OmniFusion.Media;
using OmniFusion.Simultaneous;

namespace OmniFusion.Tests.Simultaneous;

public sealed class SimultaneousSessionTests
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(120);

    [Fact]
    public async Task Events_tell_the_whole_translation()
    {
        await using SimultaneousSession session = New();
        Task pushing = Push(session, [.. Sound.Speech(2), .. Sound.Silence(1), .. Sound.Speech(3)]);
        List<StreamEvent> events = await Read(session);
        await pushing;
        string text = string.Concat(events.Select(happened => happened.Committed));
        Assert.Equal(2, text.Split(' ').Count(word => word == "Wort1"));
        Assert.Equal("", events[^1].Tentative);
        Assert.True(events.SequenceEqual(events.OrderBy(happened => happened.WallSeconds)));
        Assert.Equal(6, events[^1].AudioSeconds);
    }

    [Fact]
    public async Task A_consumer_that_stops_reading_stops_the_pushing_and_disposing_ends_both()
    {
        SimultaneousSession session = New();
        using CancellationTokenSource stop = new();
        // Far more than may wait; speech, so that every block brings an event.
        int taken = 0;
        float[] block = Sound.Speech(0.5);
        Task pushing = Task.Run(async () =>
        {
            for (; taken < 2000; taken++)
                await session.PushAsync(block);
        });
        for (int before = -1; before != taken || taken < 20; await Task.Delay(500))
            before = taken;
        Assert.InRange(taken, 20, 200);
        await Assert.ThrowsAsync<OperationCanceledException>(async () =>
        {
            stop.CancelAfter(50);
            await session.PushAsync(Sound.Speech(0.5), stop.Token);
        });
        await session.DisposeAsync().AsTask().WaitAsync(s_patience);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => pushing.WaitAsync(s_patience));
        await Assert.ThrowsAsync<ObjectDisposedException>(() => session.PushAsync(new float[1]).AsTask());
        await session.DisposeAsync();
    }

    [Fact]
    public async Task Two_hundred_sessions_opened_and_dropped_leave_nothing()
    {
        List<WeakReference> dropped = [];
        for (int i = 0; i < 200; i++)
            await OpenAndDrop(i, dropped);
        for (int i = 0; i < 50 && dropped.Any(reference => reference.IsAlive); i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
            await Task.Delay(20);
        }
        Assert.All(dropped, reference => Assert.False(reference.IsAlive));

        static async Task OpenAndDrop(int number, List<WeakReference> dropped)
        {
            SimultaneousSession session = New();
            dropped.Add(new WeakReference(session));
            if (number % 3 > 0)
                await session.PushAsync(Sound.Speech(0.6));
            if (number % 3 > 1)
                await session.DisposeAsync();
        }
    }

    [Fact]
    public async Task Disposing_cancels_a_step_under_way()
    {
        using ManualResetEventSlim writing = new();
        SimultaneousSession session = New(new FakeSpeechDecoder
        {
            OnWrite = cancellation =>
            {
                writing.Set();
                cancellation.WaitHandle.WaitOne(s_patience);
                cancellation.ThrowIfCancellationRequested();
            },
        });
        await session.PushAsync(Sound.Speech(1));
        Assert.True(writing.Wait(s_patience));
        await session.DisposeAsync().AsTask().WaitAsync(s_patience);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Read(session));
    }

    [Fact]
    public async Task An_error_of_the_computation_reaches_both_ends()
    {
        await using SimultaneousSession session = New(new FakeSpeechDecoder { OnWrite = _ => throw new OmniFusionException("Too long.") });
        // One block: a second one could meet the error already.
        await session.PushAsync(Sound.Speech(0.5));
        Assert.Equal("Too long.", (await Assert.ThrowsAsync<OmniFusionException>(() => Read(session))).Message);
        Assert.Equal("Too long.", (await Assert.ThrowsAsync<OmniFusionException>(() => session.PushAsync(new float[1]).AsTask())).Message);
    }

    [Fact]
    public async Task What_came_out_before_an_error_is_told()
    {
        int writes = 0;
        // Steps of 0.1 s, ten of which come in two blocks; the first word is out at 0.8 s, and the step behind it fails.
        await using SimultaneousSession session = new(new SimultaneousTranslator(
            () => new FakeSpeechDecoder { OnWrite = _ => Assert.True(++writes < 8) }, _ => new HoldPolicy(0), new StreamSettings(0.1)));
        await session.PushAsync(Sound.Speech(1), TestContext.Current.CancellationToken);
        string text = "";
        await Assert.ThrowsAnyAsync<Xunit.Sdk.XunitException>(async () =>
        {
            await foreach (StreamEvent happened in session.Events)
                text += happened.Committed;
        });
        Assert.Equal("Wort1", text);
    }

    [Fact]
    public async Task Samples_that_are_not_numbers_are_refused_and_the_session_goes_on()
    {
        await using SimultaneousSession session = New();
        await Assert.ThrowsAsync<OmniFusionException>(() => session.PushAsync(new[] { float.NaN }).AsTask());
        await Push(session, Sound.Speech(1));
        Assert.Contains("Wort1", string.Concat((await Read(session)).Select(happened => happened.Committed)));
    }

    [Fact]
    public async Task After_the_end_nothing_is_taken()
    {
        await using SimultaneousSession session = New();
        await session.FinishAsync();
        await session.FinishAsync();
        Assert.Equal("", Assert.Single(await Read(session)).Committed);
        await Assert.ThrowsAsync<InvalidOperationException>(() => session.PushAsync(new float[1]).AsTask());
    }

    [Fact]
    public async Task Many_threads_may_push()
    {
        await using SimultaneousSession session = New();
        Task pushing = Task.Run(async () =>
        {
            await Parallel.ForAsync(0, 40, async (_, _) => await session.PushAsync(Sound.Speech(0.25)));
            await session.ShowAsync(new RgbImage(2, 2, new byte[12]));
            await session.FinishAsync();
        });
        Assert.Equal(10, (await Read(session))[^1].AudioSeconds);
        await pushing;
    }

    [Fact]
    public async Task What_waits_is_counted_in_audio_and_not_in_pushes()
    {
        using ManualResetEventSlim writing = new(), goOn = new();
        await using SimultaneousSession session = New(new FakeSpeechDecoder
        {
            OnWrite = _ =>
            {
                writing.Set();
                goOn.Wait(s_patience);
            },
        });
        await session.PushAsync(Sound.Speech(1));
        Assert.True(writing.Wait(s_patience));
        // Eight seconds in four hundred pushes, none of which has to wait.
        float[] speech = Sound.Speech(8);
        foreach (float[] piece in speech.Chunk(320))
        {
            ValueTask push = session.PushAsync(piece);
            Assert.True(push.IsCompleted);
            await push;
        }
        goOn.Set();
        Task finishing = session.FinishAsync().AsTask();
        Assert.Equal(9, (await Read(session))[^1].AudioSeconds);
        await finishing;
    }

    [Fact]
    public async Task Whoever_disposes_awaits_the_end_the_second_one_too()
    {
        using ManualResetEventSlim writing = new(), goOn = new();
        FakeSpeechDecoder decoder = new()
        {
            OnWrite = _ =>
            {
                writing.Set();
                goOn.Wait(s_patience);
            },
        };
        SimultaneousSession session = New(decoder);
        await session.PushAsync(Sound.Speech(1));
        Assert.True(writing.Wait(s_patience));
        Task first = session.DisposeAsync().AsTask(), second = session.DisposeAsync().AsTask();
        Assert.False(second.IsCompleted);
        goOn.Set();
        await second.WaitAsync(s_patience);
        Assert.True(decoder.Disposed);
        await first.WaitAsync(s_patience);
    }

    private static async Task Push(SimultaneousSession session, float[] samples)
    {
        await session.PushAsync(samples);
        await session.FinishAsync();
    }

    private static async Task<List<StreamEvent>> Read(SimultaneousSession session)
    {
        List<StreamEvent> events = [];
        using CancellationTokenSource patience = new(s_patience);
        await foreach (StreamEvent happened in session.Events.WithCancellation(patience.Token))
            events.Add(happened);
        return events;
    }

    private static SimultaneousSession New(FakeSpeechDecoder? first = null) => new(new SimultaneousTranslator(
        () => first ?? new FakeSpeechDecoder(), decoder => new LocalAgreementPolicy(), new StreamSettings()));
}
