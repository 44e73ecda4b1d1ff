using OmniFusion.Tests.Checkpoints;
using OmniFusion.Training;
using OmniFusion.Training.Data;

namespace OmniFusion.Tests.Training;

public sealed class PictureBookTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    [Fact]
    public void ADrawingThatIsRepeatedIsNotSeenMoreOften()
    {
        byte[] red = PictogramMaker.Square(255, 0, 0, 0), blue = PictogramMaker.Square(0, 0, 255, 0);
        PictogramInfo info = new("1", "square", "square", "Objects", "tool", null);
        // The second and the third maker have no square, so the pack repeats that of the first.
        PictogramPack.Write(_folder["p.pack"], new PictogramPackHeader(["first", "second", "third", "fourth"], [info]), [red, red, red, blue]);
        using PictogramPack pack = PictogramPack.Open(_folder["p.pack"]);
        PictureBook book = new(pack, pack.Makers, []);
        // Three pictures in ten are drawn without anything random, and three quarters of these are of one maker, or of one and the same, so they can be known again.
        float[] redSquare = Plain(book, pack.Find("1", "first")!), blueSquare = Plain(book, pack.Find("1", "fourth")!);
        Random random = new(1);
        int reds = 0, blues = 0;
        for (int i = 0; i < 600; i++)
        {
            float[] picture = book.Scene(random, single: true).Picture.Values;
            reds += picture.SequenceEqual(redSquare) ? 1 : 0;
            blues += picture.SequenceEqual(blueSquare) ? 1 : 0;
        }
        Assert.InRange(reds + blues, 100, 170);
        Assert.InRange(blues / (double)(reds + blues), 0.4, 0.6);
    }

    public void Dispose() => _folder.Dispose();

    private static float[] Plain(PictureBook book, Pictogram drawing) =>
        book.Patches(new SceneComposer(PictureBook.Side).ComposeFixed([drawing])).Values;
}
